// The software bill of materials of what ships, as CycloneDX: made by npm from what is installed, and checked against what was bundled.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { manifest, root } from './paths.mjs';
import { runNpm } from './processes.mjs';

/** The list of packages that a build took something from; `build` writes it, and it does not ship. */
export const bundledPackagesFile = join('dist', 'packages.json');

/** The names of the packages that bundles were made of, from esbuild's metafiles. */
export function packagesIn(metafiles) {
  const inputs = metafiles.flatMap(({ inputs }) => Object.keys(inputs));
  const names = inputs.flatMap(
    (path) => /(?:^|\/)node_modules\/((?:@[^/]+\/)?[^/]+)\/(?!.*node_modules\/)/.exec(path)?.[1] ?? [],
  );
  return [...new Set(names)].sort();
}

/**
 * The bill of materials of the package for every platform, or for one with the native runtime, as an object without anything of the
 * machine or the moment. Throws where a package that was bundled is not on it.
 */
export async function billOfMaterials({ hasNativeRuntime }) {
  const printed = await runNpm(['sbom', '--silent', '--sbom-format=cyclonedx', '--sbom-type=application'], {
    cwd: root,
  });
  const { serialNumber, metadata, components, dependencies, ...bill } = JSON.parse(printed.slice(printed.indexOf('{')));
  const { timestamp, ...lasting } = metadata;
  // Not npm's own --omit=dev, which leaves out what some development dependency needs too: see findings/npm-sbom-omit-dev.sh.
  const direct = [...Object.keys(manifest.dependencies), ...(hasNativeRuntime ? ['onnxruntime-node'] : [])].map(refOf);
  const shipped = reachable(dependencies, direct);
  const listed = components
    .filter(({ 'bom-ref': ref }) => shipped.has(ref))
    .map((component) => ({ ...component, scope: 'required', properties: [] }));
  const names = new Set(listed.map(({ name }) => name));
  const missing = JSON.parse(readFileSync(join(root, bundledPackagesFile), 'utf8')).filter((name) => !names.has(name));
  if (missing.length > 0)
    throw new Error(
      `The bill of materials lacks ${missing.join(', ')}, of which something is bundled: make them dependencies.`,
    );
  const own = { ...lasting.component, name: manifest.name, properties: [] };
  return {
    ...bill,
    metadata: { ...lasting, component: own },
    components: listed,
    dependencies: [
      { ref: own['bom-ref'], dependsOn: direct },
      ...dependencies
        .filter(({ ref }) => shipped.has(ref))
        .map(({ ref, dependsOn }) => ({ ref, dependsOn: dependsOn.filter((each) => shipped.has(each)) })),
    ],
  };
}

/** A direct dependency's reference on the bill. */
function refOf(name) {
  return `${name}@${manifestOf(name).version}`;
}

function manifestOf(name) {
  return JSON.parse(readFileSync(join(root, 'node_modules', name, 'package.json'), 'utf8'));
}

/** Packages with all that they need, by their references on the bill; what they only go well with (peers) does not ship for their sake. */
function reachable(dependencies, direct) {
  const needs = new Map(dependencies.map(({ ref, dependsOn }) => [ref, dependsOn]));
  const found = new Set(direct);
  for (const ref of found) {
    const { peerDependencies = {} } = manifestOf(nameIn(ref));
    for (const next of needs.get(ref) ?? []) if (!Object.hasOwn(peerDependencies, nameIn(next))) found.add(next);
  }
  return found;
}

function nameIn(ref) {
  return ref.slice(0, ref.lastIndexOf('@'));
}
