/** A test card: colour bars with a moving clock, and a tone; once a second a flash and a beep at the same moment. */

const BARS = ["#c0c0c0", "#c0c000", "#00c0c0", "#00c000", "#c000c0", "#c00000", "#0000c0"];
const PULSE_S = 0.1;

/** The stream of a test card `height` lines high, and what ends it. */
export function openTestCard(height, label) {
  const canvas = document.createElement("canvas");
  Object.assign(canvas, { width: (height * 16) / 9, height });
  const picture = canvas.getContext("2d", { alpha: false });
  const background = drawBackground(canvas.width, height, label);
  const ticker = new Worker("/assets/ticker.js");
  let frame = 0;
  const sound = openTone();
  const draw = () => {
    drawFrame(picture, background, frame++);
    sound.tick();
  };
  ticker.addEventListener("message", draw);
  draw();
  const stream = new MediaStream([...canvas.captureStream(30).getTracks(), ...sound.stream.getTracks()]);
  return {
    stream,
    stop() {
      ticker.terminate();
      sound.stop();
      for (const track of stream.getTracks()) track.stop();
    },
  };
}

/** A quiet steady tone of 440 Hz, and a beep of 1 kHz at the start of each second. */
function openTone() {
  const context = new AudioContext();
  const output = context.createMediaStreamDestination();
  playTone(context, output, 440, 0.05);
  const beep = playTone(context, output, 1000, 0);
  let next = 0;
  return {
    stream: output.stream,
    /** Plans the beep of the coming second, unless that is done. */
    tick() {
      const now = Date.now() / 1000;
      if (Math.ceil(now) === next) return;
      next = Math.ceil(now);
      const start = context.currentTime + next - now;
      beep.gain.setValueAtTime(0.3, start);
      beep.gain.setValueAtTime(0, start + PULSE_S);
    },
    stop() {
      context.close();
    },
  };
}

function playTone(context, output, hertz, volume) {
  const oscillator = new OscillatorNode(context, { frequency: hertz });
  const gain = new GainNode(context, { gain: volume });
  oscillator.connect(gain).connect(output);
  oscillator.start();
  return gain;
}

function drawBackground(width, height, label) {
  const canvas = new OffscreenCanvas(width, height);
  const picture = canvas.getContext("2d", { alpha: false });
  const unit = height / 36;
  BARS.forEach((colour, index) => {
    picture.fillStyle = colour;
    picture.fillRect(Math.floor((index * width) / BARS.length), 0, Math.ceil(width / BARS.length), unit * 27);
  });
  const ramp = picture.createLinearGradient(0, 0, width, 0);
  ramp.addColorStop(0, "#000");
  ramp.addColorStop(1, "#fff");
  picture.fillStyle = ramp;
  picture.fillRect(0, unit * 27, width, unit * 4);
  picture.fillStyle = "#14171f";
  picture.fillRect(0, unit * 31, width, unit * 5);
  picture.fillStyle = "#fff";
  picture.font = `600 ${unit * 2}px system-ui, sans-serif`;
  picture.textBaseline = "middle";
  picture.fillText(label, unit * 2, unit * 33.5, width - unit * 18);
  return canvas;
}

function drawFrame(picture, background, frame) {
  const { width, height } = picture.canvas;
  const unit = height / 36;
  const now = new Date();
  const fraction = now.getMilliseconds() / 1000;
  picture.drawImage(background, 0, 0);
  picture.textBaseline = "middle";

  picture.textAlign = "right";
  picture.fillStyle = "#aeb9d0";
  picture.font = `500 ${unit * 1.6}px ui-monospace, monospace`;
  picture.fillText(`frame ${frame}`, width - unit * 2, unit * 33.5);

  drawDial(picture, width / 2, unit * 11.5, unit * 8, fraction);
  picture.fillStyle = "#14171f";
  picture.fillRect(width / 2 - unit * 10, unit * 21, unit * 20, unit * 4.4);
  picture.textAlign = "center";
  picture.fillStyle = "#fff";
  picture.font = `600 ${unit * 2.6}px ui-monospace, monospace`;
  const millis = String(now.getMilliseconds()).padStart(3, "0");
  picture.fillText(`${now.toTimeString().slice(0, 8)}.${millis}`, width / 2, unit * 23.3);
}

/** A hand that goes round once a second; the dial flashes as it starts. */
function drawDial(picture, x, y, radius, fraction) {
  picture.beginPath();
  picture.arc(x, y, radius, 0, 2 * Math.PI);
  picture.fillStyle = fraction < PULSE_S ? "#fff" : "#14171f";
  picture.fill();
  picture.beginPath();
  picture.moveTo(x, y);
  picture.arc(x, y, radius * 0.85, -Math.PI / 2, (fraction * 2 - 0.5) * Math.PI);
  picture.fillStyle = "#5d83ff";
  picture.fill();
}
