/** Images and other grids of samples: resizing, and reading between the grid points. */
export { type MapCoordinatesOptions, mapCoordinates } from './image/mapCoordinates.ts';
export { type ResizeMethod, type ResizeOptions, resize, scaleAndTranslate } from './image/resize.ts';
