// Scatter as gather: the light of every disc that covers this pixel, before and behind the focus apart.
// A disc spreads its light evenly over its area (Potmesil and Chakravarty 1981), as bokeh/render.py scatters it.
// Samples lie on a spiral whose density falls with the distance, so that small discs get as many as large ones.
uniform sampler2D shown, hidden, reach;
uniform vec2 size;
uniform int tile, first, stride, total;
uniform float blades, turn;
layout(location = 0) out vec4 before;
layout(location = 1) out vec4 behind;
layout(location = 2) out vec4 hiddenBehind;

const float SHARP = 0.57735; // px; a disc of this radius is no wider than its own pixel
const float LEAK = 0.5; // px that farther discs may be larger than this pixel's own

// Radius of the opening in a direction, in radii of the disc around it; side: 1 before the focus, -1 behind it
float opening(vec2 way, float side) {
  if (blades < 3.0) return 1.0;
  float part = 2.0 * PI / blades, angle = atan(way.y, way.x) - turn - side * PI / 2.0;
  return cos(part / 2.0) / cos(mod(angle, part) - part / 2.0);
}

float spread(float circle, float away, float shape, float filled) {
  float radius = abs(circle);
  return clamp(radius * shape - away + 0.5, 0.0, 1.0) / max(PI * radius * radius * filled, 1.0);
}

// Sum of light and coverage of the discs that reach this pixel: of what is shown on one side of the focus, or of what is
// hidden behind the focus. own: this pixel's own circle. What is behind the focus does not spread over what is nearer.
vec4 gathered(sampler2D layer, float radius, float side, float own) {
  vec4 sum = vec4(0.0);
  float filled = blades < 3.0 ? 1.0 : blades / 2.0 * sin(2.0 * PI / blades) / PI;
  for (int k = first; k < total; k += stride) {
    float away = radius * (float(k) + 0.5) / float(total), angle = float(k) * GOLDEN;
    float cell = 2.0 * PI * away * radius / float(total);
    vec2 way = vec2(cos(angle), sin(angle));
    vec2 at = (gl_FragCoord.xy + away * way) / size;
    if (any(lessThan(at, vec2(0.0))) || any(greaterThanEqual(at, vec2(1.0)))) continue;
    float level = 0.5 * log2(max(cell, 1.0)) - 0.5;
    vec4 one = cell > 1.0 ? textureLod(layer, at, max(level, 0.0)) : texelFetch(layer, ivec2(at * size), 0);
    if (side * one.a <= SHARP) continue;
    float circle = own < -SHARP ? max(one.a, own - LEAK) : one.a;
    sum += vec4(one.rgb, 1.0) * cell * spread(circle, away, opening(-way, side), filled);
  }
  return sum;
}

void main() {
  vec2 radius = texelFetch(reach, ivec2(gl_FragCoord.xy) / tile, 0).rg;
  float own = texelFetch(shown, ivec2(gl_FragCoord.xy), 0).a;
  before = radius.x > SHARP ? gathered(shown, radius.x + 0.5, 1.0, 0.0) : vec4(0.0);
  behind = radius.y > SHARP ? gathered(shown, radius.y + 0.5, -1.0, own) : vec4(0.0);
  hiddenBehind = radius.y > SHARP ? gathered(hidden, radius.y + 0.5, -1.0, 0.0) : vec4(0.0);
}
