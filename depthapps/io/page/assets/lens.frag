// Each pixel's light, and its signed circle of confusion in pixels of the target: for what the photo shows, and for what
// it hides.
uniform sampler2D photo, depth, hiddenColor, hiddenDepth;
uniform vec2 size;
uniform float strength, focus, limit, level;
layout(location = 0) out vec4 shown;
layout(location = 1) out vec4 hidden;

const float NOTHING = 1e4; // the circle of a pixel without a hidden layer: as if far before the focus, where none is taken

void main() {
  vec2 at = gl_FragCoord.xy / size;
  ivec2 texel = ivec2(at * vec2(textureSize(depth, 0)));
  shown = vec4(textureLod(photo, at, level).rgb, clamp(strength * (texelFetch(depth, texel, 0).r - focus), -limit, limit));
  float behind = texelFetch(hiddenDepth, texel, 0).r;
  float circle = behind < 0.0 ? NOTHING : clamp(strength * (behind - focus), -limit, limit);
  hidden = vec4(textureLod(hiddenColor, at, level).rgb, circle);
}
