// A fragment of a surface or a cloud, in the photo's own light
uniform sampler2D painting;
uniform bool textured;
in vec3 painted;
in vec2 at;
out vec4 color;

void main() {
  color = vec4(textured ? encoded(texture(painting, at).rgb) : painted, 1.0);
}
