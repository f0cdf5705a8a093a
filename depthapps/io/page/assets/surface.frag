// A fragment of a surface or a cloud, in the photo's own light. A surface that reaches beyond a step in depth is cut where
// the photo's 1/Z leaves its range. Beside something nearer it has the colours of the layer behind that, if there is one: the
// photo's are mixed with those of the near thing between two pixels. At the photo's view it is the photo as it is.
uniform sampler2D painting, photo, depth, hiddenColor, hiddenDepth;
uniform float home; // 1 at the photo's view, 0 away from it
uniform bool textured, smoothed; // smoothed: whether a part of a fragment's samples can be covered
in vec3 painted;
in vec2 at;
in vec2 range;
out vec4 color;

const float ANYTHING = 1e29; // 1/m: nothing is nearer

// The share of a fragment in which the photo's 1/Z, straight between pixels, is within the range, or whether it is at the
// fragment's middle if nothing is smoothed. place: in pixels; right, up: how far it is from there to the next fragments
float covered(vec2 place, vec2 right, vec2 up) {
  ivec2 last = textureSize(depth, 0) - 1, texel = ivec2(floor(place));
  vec2 between = place - vec2(texel);
  ivec2 low = clamp(texel, ivec2(0), last), high = clamp(texel + 1, ivec2(0), last);
  float a = texelFetch(depth, low, 0).r, b = texelFetch(depth, ivec2(high.x, low.y), 0).r;
  float c = texelFetch(depth, ivec2(low.x, high.y), 0).r, d = texelFetch(depth, high, 0).r;
  float inverse = mix(mix(a, b, between.x), mix(c, d, between.x), between.y);
  if (!smoothed) return float(inverse >= range.x && inverse < range.y);
  vec2 slope = vec2(mix(b - a, d - c, between.y), mix(c - a, d - b, between.x));
  float wide = max(abs(dot(slope, right)) + abs(dot(slope, up)), 1e-6 * inverse);
  vec2 inside = clamp(vec2(inverse - range.x, range.y - inverse) / wide + 0.5, 0.0, 1.0);
  return range.x > 0.0 ? inside.x + inside.y - 1.0 : inside.y;
}

void main() {
  vec2 size = vec2(textureSize(depth, 0)), right = dFdx(at) * size, up = dFdy(at) * size;
  float share = range.y > 0.0 ? covered(at * size - 0.5, right, up) : 1.0;
  if (share <= 0.0) discard;
  bool beside = range.y > 0.0 && range.y < ANYTHING && texelFetch(hiddenDepth, ivec2(at * size), 0).r >= 0.0;
  vec3 light = beside ? texture(hiddenColor, at).rgb : texture(painting, at).rgb;
  if (home > 0.0) light = mix(light, texture(photo, at).rgb, home);
  color = vec4(textured ? encoded(light) : painted, share);
}
