// A vertex of a surface or a cloud
layout(location = 0) in vec3 position;
layout(location = 1) in vec3 tint; // sRGB
layout(location = 2) in vec2 place;
uniform mat4 matrix;
uniform float size;
out vec3 painted;
out vec2 at;

void main() {
  painted = tint;
  at = place;
  gl_Position = matrix * vec4(position, 1.0);
  gl_PointSize = size;
}
