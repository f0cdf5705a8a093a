// The disc of a lamp: of the light that it has beyond what the photo shows. One instance a pixel of a lamp
layout(location = 0) in vec2 pixel; // of the photo
uniform sampler2D photo, depth, lamps;
uniform vec2 size;
uniform float strength, focus, limit, lamp, weight;
flat out vec3 light;
flat out vec3 disc; // its middle in pixels of the target, and its signed circle

void main() {
  ivec2 texel = ivec2(pixel);
  vec3 seen = texelFetch(photo, texel, 0).rgb;
  light = weight * (brightened(seen, texelFetch(lamps, texel, 0).rgb, lamp) - seen);
  float circle = clamp(strength * (texelFetch(depth, texel, 0).r - focus), -limit, limit);
  disc = vec3((pixel + 0.5) / vec2(textureSize(photo, 0)) * size, circle);
  vec2 corner = 2.0 * vec2(gl_VertexID & 1, gl_VertexID >> 1) - 1.0;
  bool sharp = abs(circle) <= SHARP; // refocus.frag shows it
  gl_Position = sharp ? vec4(2.0) : vec4((disc.xy + (abs(circle) + 1.0) * corner) / size * 2.0 - 1.0, 0.0, 1.0);
}
