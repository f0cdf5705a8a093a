// A fragment of the photo's grid; none where the surface is torn, or where there is no hidden layer
uniform sampler2D photo, depth;
uniform int stride;
uniform float tear;
uniform bool wires, points;
in vec2 grid;
out vec4 color;

const float WIRE_CELLS = 4.0;

void main() {
  ivec2 end = textureSize(depth, 0) - 1, first = min(ivec2(floor(grid + (points ? 0.5 : 0.0))) * stride, end);
  ivec2 last = points ? first : min(first + stride, end);
  vec4 corners = vec4(
    texelFetch(depth, first, 0).r, texelFetch(depth, ivec2(last.x, first.y), 0).r,
    texelFetch(depth, ivec2(first.x, last.y), 0).r, texelFetch(depth, last, 0).r);
  float nearest = max(max(corners.x, corners.y), max(corners.z, corners.w));
  float farthest = min(min(corners.x, corners.y), min(corners.z, corners.w));
  if (farthest < 0.0 || nearest - farthest > tear * nearest) discard;
  vec3 light = texture(photo, (grid * float(stride) + 0.5) / vec2(end + 1)).rgb;
  if (wires) {
    vec2 line = abs(fract(grid / WIRE_CELLS + 0.5) - 0.5) / fwidth(grid / WIRE_CELLS);
    light = mix(light * 0.12, light * 1.2 + 0.04, 1.0 - clamp(min(line.x, line.y) - 0.2, 0.0, 1.0));
  }
  color = vec4(encoded(light), 1.0);
}
