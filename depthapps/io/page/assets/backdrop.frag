// What is behind a turned scene, where nothing is known: its blurred colours, dimmed, which end outside the picture.
uniform sampler2D blurred;
uniform vec2 origin, extent;
uniform vec3 ground; // sRGB, as it is on the page
uniform float glow;
out vec4 color;

const float REACH = 0.25; // of the picture's sides

void main() {
  vec2 at = placed(gl_FragCoord.xy, origin, extent);
  float outside = length(max(abs(at - 0.5) - 0.5, 0.0));
  vec3 light = encoded(texture(blurred, at).rgb);
  color = vec4(mix(ground, light, glow * (1.0 - smoothstep(0.0, REACH, outside))), 1.0);
}
