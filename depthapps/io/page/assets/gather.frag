// Scatter as gather: the light of every disc that covers this pixel, before and behind the focus apart.
// Where discs are small, every pixel around is looked at. Elsewhere samples lie on a spiral whose density falls with the
// distance, so that small discs get as many as large ones. Each of several passes takes a part of them.
#include discs.glsl
uniform sampler2D shown, hidden, reach;
uniform vec2 size;
uniform int tile, first, passes;
uniform vec4 ways[32]; // of the samples of this pass, number k of all: their directions, k + 1/2, half the binary logarithm of it
uniform float density, most; // samples of a pass for each pixel of the radius, and at most
uniform float small; // px: discs up to which all pixels are looked at
layout(location = 0) out vec4 before;
layout(location = 1) out vec4 behind;
layout(location = 2) out vec4 hiddenBehind;

const float FEWEST = 4.0;

// What one pixel, or a cell of so many, sends to here; from: its middle to here
vec4 lightOf(vec4 one, vec2 from, float side, float cell) {
  if (side * one.a <= SHARP) return vec4(0.0);
  return vec4(one.rgb, 1.0) * cell * share(abs(one.a), from, side);
}

// Sum of light and coverage of the discs that reach this pixel: of what is shown on one side of the focus, or of what is
// hidden behind the focus. radius: of the largest of them.
vec4 gathered(sampler2D layer, float radius, float side) {
  vec4 sum = vec4(0.0);
  ivec2 here = ivec2(gl_FragCoord.xy), end = ivec2(size);
  if (radius <= small) {
    int around = int(ceil(radius - 0.5)), wide = 2 * around + 1;
    for (int k = first; k < wide * wide; k += passes) {
      ivec2 off = ivec2(k % wide, k / wide) - around, at = here + off;
      if (min(at.x, at.y) < 0 || at.x >= end.x || at.y >= end.y) continue;
      sum += lightOf(texelFetch(layer, at, 0), vec2(-off), side, 1.0);
    }
    return sum;
  }
  radius += 0.5;
  int count = int(clamp(ceil(density * radius), FEWEST, most));
  float apart = radius / float(count * passes), finest = 0.5 * log2(2.0 * PI * apart * apart) - 0.5;
  for (int k = 0; k < count; k++) {
    vec2 from = -apart * ways[k].z * ways[k].xy, at = (gl_FragCoord.xy - from) / size;
    if (min(at.x, at.y) < 0.0 || max(at.x, at.y) >= 1.0) continue;
    int level = max(int(finest + ways[k].w + 0.5), 0);
    vec4 one = texelFetch(layer, ivec2(at * size) >> level, level);
    sum += lightOf(one, from, side, 2.0 * PI * apart * apart * ways[k].z);
  }
  return sum;
}

void main() {
  vec4 radius = texelFetch(reach, ivec2(gl_FragCoord.xy) / tile, 0);
  before = radius.x > SHARP ? gathered(shown, radius.x, 1.0) : vec4(0.0);
  behind = radius.y > SHARP ? gathered(shown, radius.y, -1.0) : vec4(0.0);
  hiddenBehind = radius.z > SHARP ? gathered(hidden, radius.z, -1.0) : vec4(0.0);
}
