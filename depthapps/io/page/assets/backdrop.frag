// What is behind a turned scene, where nothing is known: its blurred colours, dimmed, which end outside the picture.
// Near the photo's view it is the photo itself, so that its surfaces, torn at each step in depth, show no cracks.
uniform sampler2D blurred, photo;
uniform vec2 origin, extent;
uniform vec3 ground; // sRGB, as it is on the page
uniform float glow, home; // home: 1 at the photo's view, 0 away from it
out vec4 color;

const float REACH = 0.25; // of the picture's sides

void main() {
  vec2 at = placed(gl_FragCoord.xy, origin, extent);
  float outside = length(max(abs(at - 0.5) - 0.5, 0.0));
  vec3 light = encoded(texture(blurred, at).rgb);
  vec3 dimmed = mix(ground, light, glow * (1.0 - smoothstep(0.0, REACH, outside)));
  color = vec4(outside > 0.0 ? dimmed : mix(dimmed, encoded(textureLod(photo, at, 0.0).rgb), home), 1.0);
}
