// A vertex of a surface or a cloud
layout(location = 0) in vec3 position;
layout(location = 1) in vec3 tint; // sRGB
layout(location = 2) in vec2 place;
layout(location = 3) in vec2 levels;
uniform mat4 matrix;
uniform float size;
out vec3 painted;
out vec2 at;
out vec2 range;

void main() {
  painted = tint;
  at = place;
  range = levels;
  gl_Position = matrix * vec4(position, 1.0);
  gl_PointSize = size;
}
