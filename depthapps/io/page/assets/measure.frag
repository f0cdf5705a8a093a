// The photo, its depth in colours, or how sure the depth is
uniform sampler2D photo, depth, sure;
uniform vec2 origin, extent, range;
uniform int overlay;
out vec4 color;

// Turbo (Mikhailov 2019), as a polynomial fit of its red, green and blue over 0..1
vec3 turbo(float x) {
  vec4 low = vec4(1.0, x, x * x, x * x * x);
  vec2 high = low.zw * low.z;
  return clamp(vec3(
    dot(low, vec4(0.13572138, 4.61539260, -42.66032258, 132.13108234)) + dot(high, vec2(-152.94239396, 59.28637943)),
    dot(low, vec4(0.09140261, 2.19418839, 4.84296658, -14.18503333)) + dot(high, vec2(4.27729857, 2.82956604)),
    dot(low, vec4(0.10667330, 12.64194608, -60.58204836, 110.36276771)) + dot(high, vec2(-89.90310912, 27.34824973))), 0.0, 1.0);
}

void main() {
  vec2 at = placed(gl_FragCoord.xy, origin, extent);
  ivec2 texel = ivec2(at * vec2(textureSize(depth, 0)));
  vec3 seen = encoded(texture(photo, at).rgb);
  float grey = dot(seen, vec3(0.3, 0.6, 0.1)), packed = texelFetch(sure, texel, 0).r * 15.0;
  if (overlay == 1) {
    float share = clamp((texelFetch(depth, texel, 0).r - range.x) / max(range.y - range.x, 1e-9), 0.0, 1.0);
    vec3 tint = packed < 0.5 ? vec3(0.25) : turbo(0.06 + 0.88 * share);
    seen = tint * (0.75 + 0.4 * grey) * 0.95;
  } else if (overlay == 2) {
    float confidence = max(packed - 1.0, 0.0) / 14.0;
    vec3 tint = mix(vec3(0.86, 0.22, 0.18), mix(vec3(0.95, 0.72, 0.25), vec3(0.2, 0.66, 0.5), smoothstep(0.5, 1.0, confidence)), smoothstep(0.0, 0.5, confidence));
    seen = mix(vec3(grey), tint, 0.55);
  }
  color = vec4(seen, 1.0);
}
