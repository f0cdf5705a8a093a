// A fragment of a mesh or a cloud, in the photo's own light
uniform sampler2D texturing;
uniform bool textured;
in vec3 painted;
in vec2 at;
out vec4 color;

void main() {
  color = vec4(textured ? encoded(texture(texturing, at).rgb) : painted, 1.0);
}
