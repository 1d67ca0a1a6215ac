// Loaded into a server before its own code: a server whose starter was killed outright ends by itself, with its children.
const parent = process.ppid;

setInterval(() => {
  try {
    process.kill(parent, 0);
    if (process.ppid === parent) return;
  } catch {
    // the starter has gone
  }
  try {
    process.kill(0, 'SIGKILL');
  } finally {
    process.exit(1);
  }
}, 1000).unref();
