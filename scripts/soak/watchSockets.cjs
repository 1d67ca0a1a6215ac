// Required before a program: writes down every socket that it opens to anywhere, every name that it looks up and every port that it listens on,
// in the file AE_SOAK_SOCKETS. Pipes and sockets of the file system are its own affair.
const { appendFileSync } = require('node:fs');
const dgram = require('node:dgram');
const dns = require('node:dns');
const net = require('node:net');

const note = (what) => appendFileSync(process.env.AE_SOAK_SOCKETS, `${JSON.stringify({ pid: process.pid, what })}\n`);

function watch(owner, name, describe) {
  const original = owner[name];
  owner[name] = function watched(...args) {
    const what = describe(args);
    if (what !== undefined) note(what);
    return original.apply(this, args);
  };
}

const isLocal = ([first]) =>
  typeof first === 'string' ||
  (typeof first === 'object' &&
    first !== null &&
    (first.path !== undefined || (Array.isArray(first) && isLocal(first))));
watch(net.Socket.prototype, 'connect', (args) => (isLocal(args) ? undefined : `connect ${JSON.stringify(args[0])}`));
watch(net.Server.prototype, 'listen', (args) => (isLocal(args) ? undefined : `listen ${JSON.stringify(args[0])}`));
watch(dgram, 'createSocket', () => 'a datagram socket');
for (const name of ['lookup', 'resolve', 'resolve4', 'resolve6', 'resolveAny']) {
  watch(dns, name, ([host]) => `${name} ${host}`);
  watch(dns.promises, name, ([host]) => `${name} ${host}`);
}
