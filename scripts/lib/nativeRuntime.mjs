// The native runtime's libraries, one folder a platform, as npm brings them.
import { copyFileSync, existsSync, linkSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './paths.mjs';

/** The platforms that the native runtime is made for, by the names that VS Code packages have. */
export const nativeTargets = ['linux-x64', 'linux-arm64', 'darwin-arm64', 'win32-x64', 'win32-arm64'];

// The library is there twice, under two names; the binding asks for the one with the short name.
const isNeeded = (name) => !/^libonnxruntime\.\d+\.\d+\.\d+\.dylib$/.test(name);

/** Puts the libraries of a platform below a folder, as links where that can be; false where there are none. */
export function linkNativeLibraries(platform, architecture, folder) {
  const part = join('bin', 'napi-v6', platform, architecture);
  const from = join(root, 'node_modules', 'onnxruntime-node', part);
  if (!existsSync(from)) return false;
  const to = join(folder, part);
  mkdirSync(to, { recursive: true });
  for (const name of readdirSync(from).filter(isNeeded)) {
    rmSync(join(to, name), { force: true });
    try {
      linkSync(join(from, name), join(to, name));
    } catch {
      copyFileSync(join(from, name), join(to, name)); // another disk
    }
  }
  return true;
}
