// What can be wrong with the dependencies as the manifest, the lock and the guide have them.

/** What is wrong with the manifest, the lock and the guide, one sentence each. */
export function dependencyProblems({ manifest, lock, guide }) {
  const problems = [];
  for (const [name, version] of Object.entries({ ...manifest.dependencies, ...manifest.devDependencies })) {
    if (!/^(?:npm:[\w@/.-]+@)?\d+\.\d+\.\d+(?:-[\w.]+)?$/.test(version))
      problems.push(`${name} is not pinned: "${version}" in package.json.`);
  }
  for (const name of Object.keys(manifest.dependencies)) {
    if (!new RegExp(`^\\|[^|]*\`${name}\`[^|]*\\|`, 'm').test(guide))
      problems.push(`${name} has no line in CONTRIBUTING.md that says why it is there.`);
  }
  for (const [path, { version, integrity, resolved, deprecated, dev, devOptional, link }] of Object.entries(
    lock.packages,
  )) {
    if (path === '' || link === true) continue;
    const name = `${path.replace(/^.*node_modules\//, '')} ${version}`;
    if (!/^sha512-/.test(integrity ?? '')) problems.push(`${name} has no SHA-512 digest in package-lock.json.`);
    if (resolved !== undefined)
      problems.push(`${name} is locked to an address: run "npm install" with this folder's .npmrc.`);
    if (deprecated !== undefined && dev !== true && devOptional !== true)
      problems.push(`${name} is deprecated: ${deprecated}`);
  }
  return problems;
}
