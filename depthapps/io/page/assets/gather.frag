// Scatter as gather: the light of every disc that covers this pixel, before and behind the focus apart.
// A disc spreads its light evenly over its area (Potmesil and Chakravarty 1981), as bokeh/render.py scatters it.
// Samples lie on a spiral whose density falls with the distance, so that small discs get as many as large ones.
uniform sampler2D shown, hidden, reach;
uniform vec2 size;
uniform int tile, first, stride, total;
uniform float blades, turn;
layout(location = 0) out vec4 before;
layout(location = 1) out vec4 behind;

const float SHARP = 0.57735; // px; a disc of this radius is no wider than its own pixel

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

vec4 gathered(float radius, float side) {
  vec4 sum = vec4(0.0);
  float filled = blades < 3.0 ? 1.0 : blades / 2.0 * sin(2.0 * PI / blades) / PI;
  for (int k = first; k < total; k += stride) {
    float away = radius * (float(k) + 0.5) / float(total), angle = float(k) * GOLDEN;
    float cell = 2.0 * PI * away * radius / float(total);
    vec2 way = vec2(cos(angle), sin(angle));
    vec2 at = (gl_FragCoord.xy + away * way) / size;
    if (any(lessThan(at, vec2(0.0))) || any(greaterThan(at, vec2(1.0)))) continue;
    float level = max(0.5 * log2(max(cell, 1.0)) - 1.0, 0.0), shape = opening(-way, side);
    vec4 one = textureLod(shown, at, level);
    if (side * one.a > SHARP) sum += vec4(one.rgb, 1.0) * cell * spread(one.a, away, shape, filled);
    if (side < 0.0) {
      vec4 other = texelFetch(hidden, ivec2(at * size), 0);
      if (other.a < -SHARP) sum += vec4(other.rgb, 1.0) * cell * spread(other.a, away, shape, filled);
    }
  }
  return sum;
}

void main() {
  vec2 radius = texelFetch(reach, ivec2(gl_FragCoord.xy) / tile, 0).rg;
  before = radius.x > SHARP ? gathered(radius.x + 0.5, 1.0) : vec4(0.0);
  behind = radius.y > SHARP ? gathered(radius.y + 0.5, -1.0) : vec4(0.0);
}
