// The largest circles of confusion before the focus, behind it, and of what is hidden behind it, in tiles of pixels
uniform sampler2D shown, hidden;
uniform int tile;
out vec4 largest;

void main() {
  ivec2 first = ivec2(gl_FragCoord.xy) * tile, end = textureSize(shown, 0);
  vec3 found = vec3(0.0);
  for (int y = 0; y < tile; y++)
    for (int x = 0; x < tile; x++) {
      ivec2 texel = min(first + ivec2(x, y), end - 1);
      float circle = texelFetch(shown, texel, 0).a, behind = texelFetch(hidden, texel, 0).a;
      found = max(found, vec3(circle, -circle, -behind));
    }
  largest = vec4(found, 0.0);
}
