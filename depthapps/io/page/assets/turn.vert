// A vertex of the photo's grid, where its pixel is in space; no buffers, only its number
uniform sampler2D depth;
uniform mat4 matrix;
uniform vec4 view; // fx, fy, cx, cy
uniform int columns, stride;
uniform float farthest, size; // 1/Z of what is infinitely far; side of a point
out vec2 grid;

void main() {
  ivec2 cell = ivec2(gl_VertexID % columns, gl_VertexID / columns);
  ivec2 texel = min(cell * stride, textureSize(depth, 0) - 1);
  float inverse = texelFetch(depth, texel, 0).r;
  vec3 point = vec3((vec2(texel) - view.zw) / view.xy, 1.0) / max(inverse, farthest);
  grid = vec2(cell);
  gl_Position = matrix * vec4(point, 1.0);
  gl_PointSize = inverse < 0.0 ? 0.0 : size;
}
