// A light of `depthapps shadow`: a sun by its direction, or a lamp by its place; its handle on the picture.

class Light {
  constructor(photo) {
    this.photo = photo;
    this.kind = "sun";
    this.toward = directionOf(-60, 40); // the usual sun of `depthapps shadow`
    this.middle = median(sampled(photo.inverse).filter(w => w > 0));
    const { camera, width, height } = photo, z = 0.75 / this.middle;
    this.position = times(rayThrough(camera, 0.3 * width, 0.2 * height), z);
    this.known = this.points();
  }

  // Some points of the scene, for the distance at which a lamp has its full power
  points() {
    const { photo } = this, found = [], step = Math.ceil(Math.sqrt(photo.width * photo.height / 4000));
    for (let y = 0; y < photo.height; y += step)
      for (let x = 0; x < photo.width; x += step) {
        const inverse = photo.inverse[y * photo.width + x];
        if (inverse > 0) found.push(pointAt(photo.camera, x, y, inverse));
      }
    return found;
  }

  get radius() { return 0.44 * Math.min(this.photo.width, this.photo.height); } // pixels of a right angle

  // Where the handle is, in pixels of the photo
  get place() {
    const { photo } = this;
    if (this.kind === "lamp") return pixelOf(photo.camera, this.position);
    const [x, y] = placeOfDirection(this.toward);
    return [x * this.radius + photo.width / 2, y * this.radius + photo.height / 2];
  }

  moveTo(x, y) {
    const { photo } = this;
    if (this.kind === "lamp") this.position = times(rayThrough(photo.camera, x, y), this.position[2]);
    else this.toward = directionAt((x - photo.width / 2) / this.radius, (y - photo.height / 2) / this.radius);
  }

  get distance() { return this.position[2] * this.middle; } // of the lamp, in typical depths of the scene
  set distance(share) { this.position = times(this.position, share / this.distance); }

  // Median distance from the lamp to the scene: there it is as bright as a sun
  get reference() { return median(this.known.map(point => Math.hypot(...subtract(point, this.position)))); }
}

const sampled = values => values.filter((_, k) => k % 97 === 0);
