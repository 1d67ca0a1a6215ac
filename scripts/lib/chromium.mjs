// Finds Chromium, or installs it, and knows the flags that the tests need.
import { accessSync, constants, existsSync, realpathSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { chromium } from 'playwright-core';
import { runProcess } from './processes.mjs';
import { root } from './paths.mjs';

// The shell without a browser around it comes first: a browser of this release draws its own tabs in pages, and costs twice the processor.
const names = [
  'chromium-headless-shell',
  'chromium',
  'chromium-browser',
  'google-chrome',
  'google-chrome-stable',
  'chrome',
];

function isProgram(path) {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** The path of a Chromium on this machine, or undefined. */
function findChromium() {
  const named = process.env.CHROMIUM_PATH;
  if (named) {
    if (!isProgram(named))
      throw new Error(
        `CHROMIUM_PATH is ${named}, which is not a program: point it at a Chromium or Chrome, or unset it.`,
      );
    return named;
  }
  const suffix = process.platform === 'win32' ? '.exe' : '';
  for (const folder of (process.env.PATH ?? '').split(delimiter)) {
    for (const name of names) {
      const path = join(folder, name + suffix);
      if (folder && isProgram(path)) return path;
    }
  }
  const own = chromium.executablePath();
  return own && existsSync(own) ? own : undefined;
}

async function install(log) {
  const isDebianRoot = process.platform === 'linux' && process.getuid?.() === 0 && existsSync('/usr/bin/apt-get');
  if (isDebianRoot) {
    log('No Chromium found: installing it with apt-get (about 200 MB, once).');
    const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
    try {
      await runProcess('apt-get', ['update'], { env });
      const installing = (...packages) =>
        runProcess('apt-get', ['install', '-y', '--no-install-recommends', ...packages, 'fonts-dejavu-core'], { env });
      // The whole browser brings the software graphics adapter; not every release has the shell apart from it.
      await installing('chromium', 'chromium-headless-shell').catch(() => installing('chromium'));
      return;
    } catch (error) {
      log(`apt-get could not install it (${error.message.split('\n').at(-1)}).`);
    }
  }
  log('Downloading the Chromium that Playwright brings (about 150 MB, once).');
  await runProcess(process.execPath, [join(root, 'node_modules', 'playwright-core', 'cli.js'), 'install', 'chromium']);
}

/** The path of a Chromium: one that is here, or a freshly installed one; throws a sentence that says what to do. */
export async function ensureChromium(log = console.log) {
  const found = findChromium();
  if (found) return found;
  try {
    await install(log);
  } catch (error) {
    throw new Error(
      'Chromium is missing and could not be installed. Install Chromium or Chrome, or set CHROMIUM_PATH to its program, and try again.',
      { cause: error },
    );
  }
  const installed = findChromium();
  if (!installed) throw new Error('Chromium was installed but cannot be found: set CHROMIUM_PATH to its program.');
  return installed;
}

/** The environment in which native programs find the software graphics adapter that Chromium brings for itself; undefined where it brings none. */
export function softwareVulkan(program = findChromium()) {
  if (program === undefined || process.platform !== 'linux') return undefined;
  // What is on the path may be a script that starts the program elsewhere.
  const folders = [
    dirname(realpathSync(program)),
    '/usr/lib/chromium',
    '/usr/lib/chromium-browser',
    '/opt/google/chrome',
  ];
  const folder = folders.find((each) =>
    ['vk_swiftshader_icd.json', 'libvk_swiftshader.so', 'libvulkan.so.1'].every((file) => existsSync(join(each, file))),
  );
  if (folder === undefined) return undefined;
  const driver = join(folder, 'vk_swiftshader_icd.json');
  return {
    VK_ICD_FILENAMES: driver,
    VK_DRIVER_FILES: driver,
    LD_LIBRARY_PATH: [folder, process.env.LD_LIBRARY_PATH].filter(Boolean).join(delimiter),
    AE_VULKAN: 'software',
  };
}

/**
 * Options for `chromium.launch`. `hasWebGpu` turns on WebGPU in software, which is slower and only needed by tests of it; `compilesOnce` leaves
 * WebAssembly as it is compiled at first, and scripts without the last of V8's compilers: with the small models of tests, and windows that are open
 * for a minute, compiling again for speed costs more than it gains. With `hasOneProcess` the pages of one site and context have one process:
 * opening another then costs a quarter less.
 */
export function chromiumLaunchOptions(
  executablePath,
  { hasWebGpu = false, compilesOnce = false, hasOneProcess = false } = {},
) {
  const graphics = hasWebGpu
    ? [
        '--enable-unsafe-webgpu',
        '--use-webgpu-adapter=swiftshader',
        '--enable-features=Vulkan',
        '--use-vulkan=swiftshader',
        '--use-angle=swiftshader',
        '--disable-gpu-compositing',
      ]
    : ['--disable-gpu'];
  return {
    executablePath,
    headless: true,
    // Signals end this process, and its end takes the browser along; the launcher's own handlers would keep it alive.
    handleSIGINT: false,
    handleSIGTERM: false,
    handleSIGHUP: false,
    args: [
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
      '--disable-dev-shm-usage',
      ...(compilesOnce ? ['--js-flags=--liftoff-only --no-turbofan'] : []),
      ...(hasOneProcess ? ['--process-per-site'] : []),
      ...graphics,
    ],
  };
}

/**
 * Stills whatever a window of VS Code animates on its own, which a setting for less motion does not do with signs that turn: each of their
 * pictures is drawn on the processor, beside what is tested. Frames in the window, ours among them, stay as they are.
 */
export async function stillWindow(page) {
  await page.addInitScript(() => {
    if (window !== window.top) return;
    const sheet = new CSSStyleSheet();
    sheet.replaceSync('*, ::before, ::after { animation: none !important; transition: none !important; }');
    document.adoptedStyleSheets.push(sheet);
  });
}
