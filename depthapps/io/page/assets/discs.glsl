// Discs of light that a lens makes of points, as bokeh/render.py scatters them (Potmesil and Chakravarty 1981).

uniform float blades;
const float TINY = 4.5; // px

// Radius of the opening in a direction, in radii of the disc around it; side: 1 before the focus, -1 behind it
float opening(vec2 way, float side) {
  if (blades < 3.0) return 1.0;
  float part = 2.0 * PI / blades, angle = atan(way.y, way.x) - side * PI / 2.0;
  return cos(part / 2.0) / cos(mod(angle, part) - part / 2.0);
}

// Share of the area of its circle that the opening has
float filled() { return blades < 3.0 ? 1.0 : blades / 2.0 * sin(2.0 * PI / blades) / PI; }

// Area of a disc of radius 1 between its middle and a height, a fit of t sqrt(1 - t^2) + asin(t) to 0.004
float areaBelow(float t) {
  t = clamp(t, -1.0, 1.0);
  float s = t * t;
  return t * (2.0027 + s * (-0.3670 + s * (0.0545 - 0.1160 * s)));
}

// The share of a disc's light that a pixel gets, at (x, y) from its middle; over all pixels they add up to 1
float share(float radius, vec2 at, float side) {
  if (blades < 3.0 && radius < TINY) { // by its exact area: in tiny discs the rim is most
    float wide = radius * radius * (areaBelow((at.y + 0.5) / radius) - areaBelow((at.y - 0.5) / radius)) / 2.0;
    return clamp(min(at.x + 0.5, wide) - max(at.x - 0.5, -wide), 0.0, 1.0) / (PI * radius * radius);
  }
  float covered = clamp(radius * opening(at, side) - length(at) + 0.5, 0.0, 1.0);
  return covered / (PI * (radius * radius * filled() + 1.0 / 12.0)); // the rim, soft over a pixel, has its twelfth part
}
