import { library } from '../../tools/tsup.ts';

export default library('index', 'models', 'data', 'node');
