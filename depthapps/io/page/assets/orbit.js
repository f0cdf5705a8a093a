// Where the eye is: it turns around a point of the scene, comes nearer, and moves aside. At home it is the photo's.

const NEAR_ENOUGH = 3e-4; // radians, or shares of the distance: less than a pixel

class Orbit {
  constructor(pivot) {
    this.pivot = pivot;
    this.home();
    this.now = { ...this.goal };
  }

  home() { this.goal = { yaw: 0, pitch: 0, distance: 1, x: 0, y: 0 }; }

  turn(right, down) { // radians
    this.goal.yaw += right;
    this.goal.pitch = clamp(this.goal.pitch + down, -1.5, 1.5);
  }

  zoom(factor) { this.goal.distance = clamp(this.goal.distance * factor, 0.05, 8); }
  move(right, down) { this.goal.x += right; this.goal.y += down; } // in distances to the pivot

  // Come nearer to the goal; false if it is reached
  follow(share) {
    let far = false;
    for (const name in this.goal) {
      const off = this.goal[name] - this.now[name];
      far ||= Math.abs(off) > NEAR_ENOUGH;
      this.now[name] = Math.abs(off) > NEAR_ENOUGH ? this.now[name] + share * off : this.goal[name];
    }
    return far;
  }

  // How far from the photo's view, in radians or shares of the distance
  get away() {
    const { yaw, pitch, distance, x, y } = this.now;
    return Math.hypot(yaw, pitch, distance - 1, x, y);
  }

  // From the photo's camera axes to those of the eye, column by column
  get matrix() {
    const { yaw, pitch, distance, x, y } = this.now, { pivot } = this;
    const [cy, sy, cp, sp] = [Math.cos(yaw), Math.sin(yaw), Math.cos(pitch), Math.sin(pitch)];
    const rows = [[cy, 0, sy], [sp * sy, cp, -sp * cy], [-cp * sy, sp, cp * cy]]; // pitch after yaw
    const shift = [pivot[0] * distance + x * pivot[2], pivot[1] * distance + y * pivot[2], pivot[2] * distance];
    const moved = rows.map((row, k) => shift[k] - dot(row, pivot));
    return new Float32Array([0, 1, 2].flatMap(column => [...rows.map(row => row[column]), 0]).concat(moved, 1));
  }
}
