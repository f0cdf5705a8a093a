// The largest circles of confusion that reach a tile from the tiles around it
uniform sampler2D tiles;
uniform int tile, around;
out vec4 largest;

void main() {
  ivec2 here = ivec2(gl_FragCoord.xy), end = textureSize(tiles, 0);
  vec3 found = vec3(0.0);
  for (int y = -around; y <= around; y++)
    for (int x = -around; x <= around; x++) {
      ivec2 there = here + ivec2(x, y);
      if (any(lessThan(there, ivec2(0))) || any(greaterThanEqual(there, end))) continue;
      vec3 away = vec3(float(tile) * max(length(vec2(x, y)) - 1.5, 0.0));
      vec3 circle = texelFetch(tiles, there, 0).rgb;
      found = max(found, circle * step(away, circle));
    }
  largest = vec4(found, 0.0);
}
