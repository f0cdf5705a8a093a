// The photo as one sees it out of the corner of the eye: 25 samples of a small copy
uniform sampler2D photo;
uniform vec2 size;
out vec4 color;

void main() {
  float level = log2(float(textureSize(photo, 0).x) / size.x), whole = 0.0;
  color = vec4(0.0);
  for (int k = 0; k < 25; k++) {
    vec2 off = vec2(k % 5, k / 5) - 2.0;
    float weight = exp(-dot(off, off) / 4.0);
    color += weight * textureLod(photo, (gl_FragCoord.xy + off) / size, level);
    whole += weight;
  }
  color /= whole;
}
