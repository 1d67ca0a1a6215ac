/** The value of `--name=value` on the command line, true for a bare `--name`, or undefined. */
export function option(name) {
  const found = process.argv.slice(2).find((argument) => argument === `--${name}` || argument.startsWith(`--${name}=`));
  if (found === undefined) return undefined;
  return found.includes('=') ? found.slice(found.indexOf('=') + 1) : true;
}
