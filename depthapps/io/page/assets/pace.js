// The pace of the page: how many pixels a moving picture may have, and how much of a still one is made at a time, so that
// it keeps up with the hand on any GPU, and on none.

const SHARES = [1, 0.84, 0.71, 0.6, 0.5, 0.42, 0.35, 0.3, 0.25]; // of the screen's pixels, in each direction
const WANTED_MS = { hardware: 17, software: 45 }; // for a moving frame
const LATE = 1.4; // times that: frames that take longer get fewer pixels
const STEADY = 3; // frames whose median counts
const PATIENCE = 12; // frames in time after which more pixels are tried

class Pace {
  constructor(software) {
    Object.assign(this, { software, wanted: WANTED_MS[software ? "software" : "hardware"], times: [], patience: PATIENCE });
    this.level = software ? 5 : 0;
    this.portion = software ? 0.1 : 1; // of a pass over a still picture
  }

  get share() { return SHARES[this.level]; }
  get slowness() { return this.level < 3 ? 0 : this.level < 5 ? 1 : 2; }

  // A frame of a movement took so long: choose the pixels of the next ones
  moved(ms) {
    this.times.push(ms);
    const late = ms > 3 * this.wanted;
    if (this.times.length < STEADY && !late) return;
    const took = late ? ms : median(this.times.slice(-STEADY));
    if (took > LATE * this.wanted && this.level < SHARES.length - 1) this.lower(took);
    else if (took <= this.wanted && this.times.length >= this.patience) this.raise(took);
  }

  lower(took) {
    const fits = this.share * Math.sqrt(this.wanted / took);
    const found = SHARES.findIndex(share => share <= fits * 1.01);
    this.level = Math.min(found < 0 ? SHARES.length - 1 : found, this.level + 3);
    if (this.raised) this.patience = Math.min(2 * this.patience, 400); // more pixels were too many
    this.raised = false;
    this.times = [];
  }

  raise(took) {
    const next = SHARES[this.level - 1] || 1, expected = took * (next / this.share) ** 2;
    this.times = [];
    if (!this.level || this.software && expected > this.wanted) return;
    this.level--;
    this.raised = true;
  }

  // A part of a still picture took so long: choose the size of the next one
  rested(ms) { this.portion = clamp(this.portion * clamp(2 * this.wanted / Math.max(ms, 1), 0.5, 2), 0.08, 1); }
}

// A picture made in passes over all its rows, so many rows at a time
class Passes {
  restart(count, rows) { Object.assign(this, { count, rows, done: 0, row: 0 }); }
  get finished() { return this.done >= this.count; }

  // Do a portion of a pass by draw(pass, first row, rows); true if the pass is whole
  step(portion, draw) {
    const rows = Math.min(Math.max(Math.ceil(portion * this.rows), 8), this.rows - this.row);
    draw(this.done, this.row, rows);
    this.row += rows;
    if (this.row < this.rows) return false;
    this.row = 0;
    this.done++;
    return true;
  }
}
