import { library } from '../../tools/tsup.ts';

// The namespaces are chunks of their own, so that bundlers can leave them out.
export default library('index', 'extend', 'backend', 'fft', 'image', 'linalg', 'random');
