/** A drawing as MNIST has its digits: white on black, 20 × 20 in the middle of 28 × 28, centred by mass. */

const side = 28;
const inner = 20;

/** Makes a canvas that can be drawn on, by mouse, pen, finger or program. */
export function makePad(
  canvas: HTMLCanvasElement,
  onChange: () => void,
): { clear(): void; pixels(): Uint8Array | undefined } {
  const context = canvas.getContext('2d', { willReadFrequently: true }) as CanvasRenderingContext2D;
  const clear = () => {
    context.fillStyle = '#000';
    context.fillRect(0, 0, canvas.width, canvas.height);
  };
  clear();
  let last: readonly [number, number] | undefined;
  const place = (event: PointerEvent): [number, number] => {
    const box = canvas.getBoundingClientRect();
    return [
      ((event.clientX - box.left) * canvas.width) / box.width,
      ((event.clientY - box.top) * canvas.height) / box.height,
    ];
  };
  const drawTo = (event: PointerEvent) => {
    const [x, y] = place(event);
    const [fromX, fromY] = last ?? [x, y];
    context.strokeStyle = '#fff';
    context.lineWidth = canvas.width / 13;
    context.lineCap = 'round';
    context.beginPath();
    context.moveTo(fromX, fromY);
    context.lineTo(x, y);
    context.stroke();
    last = [x, y];
    onChange();
  };
  canvas.addEventListener('pointerdown', (event) => {
    canvas.setPointerCapture(event.pointerId);
    last = undefined;
    drawTo(event);
  });
  canvas.addEventListener('pointermove', (event) => {
    if (event.buttons !== 0) drawTo(event);
  });
  return {
    clear,
    pixels: () => normalised(context.getImageData(0, 0, canvas.width, canvas.height)),
  };
}

/** Nothing if nothing is drawn. */
function normalised({ data, width, height }: ImageData): Uint8Array | undefined {
  const ink = (x: number, y: number): number => data[4 * (y * width + x)] as number;
  let [left, right, top, bottom] = [width, -1, height, -1];
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++)
      if (ink(x, y) > 0)
        [left, right, top, bottom] = [
          Math.min(left, x),
          Math.max(right, x),
          Math.min(top, y),
          Math.max(bottom, y),
        ];
  if (right < 0) return undefined;
  const scale = Math.max(right - left + 1, bottom - top + 1) / inner;
  const small = new Float32Array(side * side);
  const offset = { x: (inner - (right - left + 1) / scale) / 2, y: (inner - (bottom - top + 1) / scale) / 2 };
  // Means over the pixels that fall into one.
  for (let y = 0; y < inner; y++)
    for (let x = 0; x < inner; x++) {
      let [sum, count] = [0, 0];
      for (let v = 0; v < scale; v++)
        for (let u = 0; u < scale; u++) {
          const [px, py] = [
            Math.floor(left + (x - offset.x) * scale + u),
            Math.floor(top + (y - offset.y) * scale + v),
          ];
          count++;
          if (px >= left && px <= right && py >= top && py <= bottom) sum += ink(px, py);
        }
      small[(y + 4) * side + x + 4] = sum / count;
    }
  return centred(small);
}

/** Moved by whole pixels so that the centre of mass is in the middle. */
function centred(image: Float32Array): Uint8Array {
  let [mass, mx, my] = [0, 0, 0];
  for (const [i, v] of image.entries()) {
    mass += v;
    mx += v * (i % side);
    my += v * Math.floor(i / side);
  }
  const shift = { x: Math.round(side / 2 - mx / mass), y: Math.round(side / 2 - my / mass) };
  const result = new Uint8Array(side * side);
  for (let y = 0; y < side; y++)
    for (let x = 0; x < side; x++) {
      const [fromX, fromY] = [x - shift.x, y - shift.y];
      if (fromX >= 0 && fromX < side && fromY >= 0 && fromY < side)
        result[y * side + x] = Math.round(image[fromY * side + fromX] as number);
    }
  return result;
}
