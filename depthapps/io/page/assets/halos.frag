// The photo without the colours of near things on the far surface beside them, as mesh/halos.py leaves them out: there it is
// what the layer behind has, whose colours are clean
uniform sampler2D photo, depth, hiddenColor, hiddenDepth;
out vec4 color;

const float STEP = 0.1; // share of 1/Z by which a pixel is farther than one beside it

void main() {
  ivec2 texel = ivec2(gl_FragCoord.xy), last = textureSize(depth, 0) - 1;
  float nearest = 0.0;
  for (int y = -1; y <= 1; y++)
    for (int x = -1; x <= 1; x++) nearest = max(nearest, texelFetch(depth, clamp(texel + ivec2(x, y), ivec2(0), last), 0).r);
  bool mixed = texelFetch(hiddenDepth, texel, 0).r >= 0.0 && nearest > (1.0 + STEP) * texelFetch(depth, texel, 0).r;
  color = mixed ? texelFetch(hiddenColor, texel, 0) : texelFetch(photo, texel, 0);
}
