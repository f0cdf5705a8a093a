// Composite what is before, in and behind the focus, front to back; each layer fills what those before it leave free
uniform sampler2D photo, lamps, depth, hiddenColor, hiddenDepth, before, behind, hiddenBehind;
uniform vec2 origin, extent;
uniform float strength, focus, gain, lamp;
out vec4 color;

const float NEARLY = 0.95; // coverage above which a layer hides all: few samples never add up to exactly 1

void under(inout vec4 light, vec4 layer) {
  float free = max(1.0 - light.a, 0.0);
  light += layer * (layer.a > free ? free / layer.a : 1.0);
}

void main() {
  vec2 at = placed(gl_FragCoord.xy, origin, extent);
  ivec2 texel = ivec2(at * vec2(textureSize(depth, 0)));
  float circle = strength * (texelFetch(depth, texel, 0).r - focus);
  float other = texelFetch(hiddenDepth, texel, 0).r, otherCircle = strength * (other - focus);
  vec4 near = gain * texture(before, at), far = gain * texture(behind, at);
  vec4 light = near * min(1.0 / max(near.a, 1e-6), 1.0 / NEARLY);
  if (abs(circle) <= SHARP) under(light, vec4(brightened(texture(photo, at).rgb, texture(lamps, at).rgb, lamp), 1.0));
  else if (circle > 0.0 && other >= 0.0 && abs(otherCircle) <= SHARP)
    under(light, vec4(texture(hiddenColor, at).rgb, 1.0));
  under(light, far);
  under(light, gain * texture(hiddenBehind, at));
  vec3 seen = light.a > 1e-3 ? light.rgb / light.a : texture(photo, at).rgb;
  color = vec4(encoded(seen), 1.0);
}
