// The desktop app, for those who have it or can download it.
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { downloadAndUnzipVSCode } from '@vscode/test-electron';

/** The desktop VS Code's program: what VSCODE_EXECUTABLE names, else a fresh download of `version`. */
export async function findDesktop(version = 'stable') {
  const named = process.env.VSCODE_EXECUTABLE ?? process.env.VSCODE_PATH;
  if (named) {
    if (!existsSync(named))
      throw new Error(
        `VSCODE_EXECUTABLE is ${named}, which does not exist: point it at the desktop VS Code's program, or unset it to download one.`,
      );
    return named;
  }
  try {
    return await downloadAndUnzipVSCode(version);
  } catch (error) {
    throw new Error(
      'The desktop VS Code could not be downloaded. Set VSCODE_EXECUTABLE to the program of an installed one, or use «npm start», which needs the package registry only.',
      { cause: error },
    );
  }
}

/** The command-line arguments for a profile of its own, with nothing of the person's. */
export function freshProfile(folder) {
  return [
    `--user-data-dir=${join(folder, 'user-data')}`,
    `--extensions-dir=${join(folder, 'extensions')}`,
    '--disable-extensions',
    '--disable-workspace-trust',
    '--skip-welcome',
    '--skip-release-notes',
    '--disable-updates',
    '--disable-telemetry',
    ...(process.platform === 'linux' && process.getuid?.() === 0 ? ['--no-sandbox'] : []),
  ];
}

/** Whether a screen is there to open a window on. */
function hasScreen() {
  return process.platform !== 'linux' || Boolean(process.env.DISPLAY || process.env.WAYLAND_DISPLAY);
}

/** What to put in front of the program where there is no screen but a virtual one. */
export function withVirtualScreen(command) {
  if (hasScreen()) return command;
  const found = (process.env.PATH ?? '').split(delimiter).some((folder) => existsSync(join(folder, 'xvfb-run')));
  if (!found) throw new Error('The desktop VS Code needs a screen: set DISPLAY, or install xvfb (xvfb-run).');
  return ['xvfb-run', '-a', ...command];
}
