// The light that arrives at each point, relative to the photo's: sky and ground, and the lamp where it is seen.
// As shadow/shading.py has it. The second picture holds it weighted by how sure the depth is.
uniform sampler2D depth, surface, sure, seen;
uniform vec2 size;
uniform vec4 view;
uniform vec3 light, color;
uniform bool sun;
uniform float ambient, reference;
layout(location = 0) out vec4 gain;
layout(location = 1) out vec4 trusted;

const float GROUND = 0.2; // share of the sky's light that the ground reflects

void main() {
  vec2 at = gl_FragCoord.xy / size, extent = vec2(textureSize(depth, 0));
  ivec2 texel = ivec2(at * extent);
  float inverse = texelFetch(depth, texel, 0).r, packed = texelFetch(sure, texel, 0).r;
  vec3 normal = normalOf(texture(surface, at).rg);
  float sky = (1.0 - normal.y) / 2.0;
  vec3 arriving = vec3(ambient * (sky + GROUND * (1.0 - sky)) / ((1.0 + GROUND) / 2.0));
  if (inverse > 0.0) {
    vec3 point = vec3((vec2(texel) - view.zw) / view.xy, 1.0) / inverse;
    vec3 way = sun ? light : light - point;
    float distance = length(way), received = max(dot(normal, way) / distance, 0.0);
    if (!sun) received *= pow(reference / max(distance, 0.1 * reference), 2.0);
    vec2 found = texture(seen, at).ra;
    arriving += color * received * found.x / max(found.y, 1e-6);
  } else arriving = vec3(1.0);
  float confidence = (packed * 255.0 / 17.0 - 1.0) / 14.0;
  float trust = clamp((confidence - 0.5) / 0.4, 0.0, 1.0);
  gain = vec4(arriving, trust);
  trusted = vec4(arriving * trust, trust);
}
