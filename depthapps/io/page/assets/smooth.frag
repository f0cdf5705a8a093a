// 1/Z without its noise: a bilateral filter over a few pixels, so that a surface does not shade itself
uniform sampler2D depth;
uniform float deviation; // of the noise of 1/Z
out vec4 smoothed;

const int REACH = 3;

void main() {
  ivec2 here = ivec2(gl_FragCoord.xy), end = textureSize(depth, 0) - 1;
  float middle = texelFetch(depth, here, 0).r, range = 4.0 * deviation + 1e-3 * middle;
  vec2 sum = vec2(0.0);
  for (int y = -REACH; y <= REACH; y++)
    for (int x = -REACH; x <= REACH; x++) {
      float other = texelFetch(depth, clamp(here + ivec2(x, y), ivec2(0), end), 0).r, off = (other - middle) / range;
      float weight = exp(-0.5 * off * off - float(x * x + y * y) / 8.0);
      sum += vec2(other, 1.0) * weight;
    }
  smoothed = vec4(middle > 0.0 ? sum.x / sum.y : 0.0, 0.0, 0.0, 1.0);
}
