// The tilt of a phone, from how it was first held.

const TILT_DEG = 25; // of the phone, for the whole way

// Right and down on the screen, each -1..1, of angles as DeviceOrientationEvent has them. angle: of the screen
function tiltOf(angles, home, angle) {
  const [right, down] = [angles.gamma - home.gamma, angles.beta - home.beta].map(v => v / TILT_DEG);
  const [c, s] = [Math.cos(angle * Math.PI / 180), Math.sin(angle * Math.PI / 180)];
  return [c * right + s * down, c * down - s * right].map(v => clamp(v, -1, 1));
}

function listenToTilt(tilted) {
  const listen = () => {
    let home = null;
    addEventListener("deviceorientation", angles => {
      if (angles.beta === null) return;
      home ||= angles;
      tilted(...tiltOf(angles, home, screen.orientation ? screen.orientation.angle : 0));
    });
  };
  const ask = window.DeviceOrientationEvent && DeviceOrientationEvent.requestPermission;
  if (!ask) { listen(); return; }
  // iPhones know no such permission, and answer only to a touch that has ended; Chromium has granted it before
  const allowed = navigator.permissions ? navigator.permissions.query({ name: "gyroscope" }) : Promise.reject();
  allowed.then(found => found.state === "granted", () => false).then(granted => {
    if (granted) { listen(); return; }
    addEventListener("click", () => ask.call(DeviceOrientationEvent).then(answer => { if (answer === "granted") listen(); }, () => {}), { once: true });
  });
}
