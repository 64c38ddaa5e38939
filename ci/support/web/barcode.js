// Draws and reads the test picture's barcode: the wall clock in ms, in blocks that survive compression and scaling.
// ci/support/barcode.py does the same in Python.
//
// The picture is a grid of 8 x 6 blocks. Rows 0-3 hold 32 bits, most significant first, white for 1: 24 bits of time
// and a checksum. Row 4 is the flash, row 5 has something that moves.

const COLUMNS = 8;
const ROWS = 6;
const CELL = 10; // pixels of a block in the small copy that is read
export const WRAP_MS = 2 ** 24;

function checksum(value) {
  return (0x5a + 3 * (value >> 16) + 5 * ((value >> 8) & 0xff) + 7 * (value & 0xff)) & 0xff;
}

/** Not one flat colour: where two flat blocks changed places, Chromium's VP9 encoder has left both as they were. */
function shade(context, from, to) {
  const gradient = context.createLinearGradient(0, 0, context.canvas.width, context.canvas.height);
  gradient.addColorStop(0, from);
  gradient.addColorStop(1, to);
  return gradient;
}

/** Paints the whole picture for `stampMs` (taken modulo WRAP_MS). */
export function draw(context, width, height, stampMs, flash) {
  const value = stampMs % WRAP_MS;
  const bits = ((value << 8) | checksum(value)) >>> 0;
  const [w, h] = [width / COLUMNS, height / ROWS];
  context.fillStyle = shade(context, "#000", "#444");
  context.fillRect(0, 0, width, height);
  context.fillStyle = shade(context, "#bbb", "#fff");
  for (let i = 0; i < 32; i++) {
    if ((bits >>> (31 - i)) & 1) context.fillRect((i % COLUMNS) * w, Math.floor(i / COLUMNS) * h, w, h);
  }
  if (flash) context.fillRect(0, 4 * h, width, h);
  context.fillStyle = "#888";
  context.fillRect(((value / 10) % 100) * ((width - w) / 100), 5 * h, w, h);
}

/** Reads pictures: anything that drawImage takes. */
export class Reader {
  constructor() {
    const canvas = new OffscreenCanvas(COLUMNS * CELL, ROWS * CELL);
    this.context = canvas.getContext("2d", { willReadFrequently: true });
  }

  /** Returns {stamp, flash}; stamp is null where the barcode cannot be read. */
  read(picture) {
    this.context.drawImage(picture, 0, 0, COLUMNS * CELL, ROWS * CELL);
    const pixels = this.context.getImageData(0, 0, COLUMNS * CELL, ROWS * CELL).data;
    let bits = 0;
    for (let i = 0; i < 32; i++) bits = (bits << 1) | (this.#brightness(pixels, i) > 127 ? 1 : 0);
    const value = bits >>> 8;
    const whole = (bits & 0xff) === checksum(value);
    return { stamp: whole ? value : null, flash: this.#brightness(pixels, 4 * COLUMNS + 3) > 127 };
  }

  /** The mean green (0-255) of the middle of block `index`. */
  #brightness(pixels, index) {
    const [left, top] = [(index % COLUMNS) * CELL, Math.floor(index / COLUMNS) * CELL];
    let sum = 0;
    for (let y = top + 3; y < top + 7; y++) {
      for (let x = left + 3; x < left + 7; x++) sum += pixels[4 * (y * COLUMNS * CELL + x) + 1];
    }
    return sum / 16;
  }
}
