// The photo under its new light. Where the depth is unsure, the light of surer surroundings is taken: first wide ones,
// then narrower ones if they hold enough.
uniform sampler2D photo, depth, gains, trusted;
uniform vec2 origin, extent, size;
out vec4 color;

const float REACH = 1.0 / 16.0; // of the picture's longer side: the narrowest surroundings
const float ENOUGH = 0.1;

void main() {
  vec2 at = placed(gl_FragCoord.xy, origin, extent);
  vec4 gain = texture(gains, at);
  float narrow = log2(2.0 * REACH * max(size.x, size.y));
  vec3 around = vec3(0.0);
  float first = 1.0;
  for (int wider = gain.a < 1.0 ? 3 : -1; wider >= 0; wider--) {
    vec4 near = textureLod(trusted, at, narrow + float(wider));
    float share = max(clamp(near.a / ENOUGH, 0.0, 1.0), first);
    around = mix(around, near.rgb / max(near.a, 1e-4), share);
    first = 0.0;
  }
  vec3 light = mix(around, gain.rgb, gain.a);
  if (texelFetch(depth, ivec2(at * vec2(textureSize(depth, 0))), 0).r <= 0.0) light = vec3(1.0);
  color = vec4(encoded(texture(photo, at).rgb * light), 1.0);
}
