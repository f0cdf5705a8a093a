// The share of a light that each surface point sees. A ray is marched over the picture, where it is a straight line in
// (x, y, 1/Z); it is blocked where it is between the near and the far side of something, or passes through a surface,
// as in shadow/_kernels.py.
uniform sampler2D depth, surface, solid, thickness;
uniform vec2 size;
uniform vec4 view; // fx, fy, cx, cy
uniform vec3 light; // where a lamp is, or the direction towards a sun
uniform bool sun;
uniform float radius, largestOffset;
uniform int first, stride, total, steps; // steps: of a ray, at most
out vec4 seen;

const float CLOSE = 4.0; // pixels between samples, up to which they may lie on one surface
const float NEAR = 0.01, FAR = 1e4; // of the start's depth: where rays end
const float SAME = 0.05; // relative difference of 1/Z within which neighbouring samples lie on one surface

// 1/Z of the solid's near side at a pixel: between its texels, each of which is every second pixel, but not across edges
float frontAt(vec2 pixel) {
  vec2 extent = vec2(textureSize(solid, 0));
  float one = texelFetch(solid, min(ivec2(pixel / 2.0 + 0.5), ivec2(extent) - 1), 0).r;
  float between = texture(solid, (pixel / 2.0 + 0.5) / extent).r;
  return abs(between - one) < SAME * one ? between : one;
}

bool blocked(vec3 from, vec3 to, float jitter) {
  vec2 extent = vec2(textureSize(depth, 0));
  vec3 a = vec3(view.xy * from.xy / from.z + view.zw, 1.0 / from.z);
  vec3 b = vec3(view.xy * to.xy / to.z + view.zw, 1.0 / to.z);
  vec2 run = b.xy - a.xy, inside = vec2(1.0);
  if (run.x != 0.0) inside.x = ((run.x > 0.0 ? extent.x - 1.0 : 0.0) - a.x) / run.x;
  if (run.y != 0.0) inside.y = ((run.y > 0.0 ? extent.y - 1.0 : 0.0) - a.y) / run.y;
  float share = clamp(min(inside.x, inside.y), 0.0, 1.0), pixels = share * max(abs(run.x), abs(run.y));
  if (pixels < 1.0) return false;
  int count = int(min(float(steps), pixels));
  float gapBefore = 0.0, frontBefore = 0.0;
  vec2 before = vec2(-1e4);
  for (int k = 0; k < count; k++) {
    // the first steps are a pixel wide, later ones longer
    float along = (float(k) + jitter) / float(count);
    float t = share * mix(along * along, along, float(count) / pixels);
    vec3 p = mix(a, b, t);
    ivec2 texel = ivec2(p.xy / 2.0 + 0.5);
    float front = frontAt(p.xy);
    float gap = p.z - front;
    if (gap < 0.0 && p.z >= front * texelFetch(thickness, min(texel, textureSize(thickness, 0) - 1), 0).r) return true;
    bool whole = distance(p.xy, before) < CLOSE && front > 0.0 && abs(front - frontBefore) < SAME * max(front, frontBefore);
    if (whole && gap < 0.0 != gapBefore < 0.0) return true;
    gapBefore = gap;
    frontBefore = front;
    before = p.xy;
  }
  return false;
}

void main() {
  vec2 at = gl_FragCoord.xy / size, extent = vec2(textureSize(depth, 0));
  ivec2 texel = ivec2(at * extent);
  float inverse = texelFetch(depth, texel, 0).r, even = frontAt(vec2(texel));
  if (inverse <= 0.0) { seen = vec4(1.0); return; }
  float z = 1.0 / (even > 0.0 ? even : inverse);
  vec3 packed = texture(surface, at).rgb, normal = normalOf(packed.rg);
  vec3 point = vec3((vec2(texel) - view.zw) / view.xy, 1.0) * z + normal * packed.b * largestOffset * z;
  vec3 way = sun ? light : light - point, toward = normalize(way);
  vec3 side = normalize(abs(toward.x) < 0.7 ? cross(toward, vec3(1, 0, 0)) : cross(toward, vec3(0, 1, 0)));
  vec3 over = cross(toward, side);
  float turn = 2.0 * PI * noise(gl_FragCoord.xy), found = 0.0, count = 0.0;
  for (int k = first; k < total; k += stride) {
    float r = radius * sqrt((float(k) + 0.5) / float(total)), angle = turn + float(k) * GOLDEN;
    vec3 ray = way + r * (cos(angle) * side + sin(angle) * over);
    count += 1.0;
    if (dot(ray, normal) <= 0.0) continue;
    float reach = sun ? FAR * point.z : 1.0;
    if (point.z + reach * ray.z < NEAR * point.z) reach = (NEAR - 1.0) * point.z / ray.z;
    found += blocked(point, point + reach * ray, fract(noise(gl_FragCoord.xy + 17.0) + float(k) * 0.61803)) ? 0.0 : 1.0;
  }
  seen = vec4(found, 0.0, 0.0, count);
}
