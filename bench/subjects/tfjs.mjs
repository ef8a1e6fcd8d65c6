// TensorFlow.js: `node tfjs.mjs cpu|wasm`.
import { createRequire } from 'node:module';
import process from 'node:process';
import { workloads } from '../programs/tfjs.mjs';
import { serve } from './serve.mjs';

const require = createRequire(new URL('../peers/package.json', import.meta.url));
console.log = () => {}; // standard output belongs to the answers
console.warn = () => {};
const tf = require('@tensorflow/tfjs');
const [name] = process.argv.slice(2);
if (name === 'wasm') require('@tensorflow/tfjs-backend-wasm');
await tf.setBackend(name);
await tf.ready();
await serve(workloads(tf));
