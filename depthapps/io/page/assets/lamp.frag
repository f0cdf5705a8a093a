// A lamp's light on the pixels of its disc, before or behind the focus
#include discs.glsl
flat in vec3 light, disc;
layout(location = 0) out vec4 before;
layout(location = 1) out vec4 behind;
layout(location = 2) out vec4 hiddenBehind;

void main() {
  float side = sign(disc.z);
  vec4 one = vec4(light * share(abs(disc.z), gl_FragCoord.xy - disc.xy, side), 0.0);
  before = side > 0.0 ? one : vec4(0.0);
  behind = side > 0.0 ? vec4(0.0) : one;
  hiddenBehind = vec4(0.0);
}
