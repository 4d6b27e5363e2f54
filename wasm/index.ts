// AssemblyScript. What the module offers; src/kernels/wasm says how it is called. Made by scripts/make-wasm.ts.
export { bilinearRowFloats, floatsLack, rescaleFloats } from './floats';
export { begin, inflate, leave, resume, STATE, used, writtenTo } from './inflate';
export { deflateBegin, deflateBlock, deflateFlush, filterSub, filterUp } from './png';
export { adler32, FLOATS_MAX, undoBytes, undoFloats } from './predictor';
export { bilinear3, bilinearCell3, bilinearRow3 } from './warp';
