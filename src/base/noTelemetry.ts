/**
 * What the environment of a process must hold before the native runtime is loaded in it. ONNX Runtime's builds for Linux and macOS report what
 * is run to their maker from version 1.29 on (the models' graph names, operators, times, a lasting number of this device), keep it in
 * the person's cache folder until it is sent, and are told not to in no other way that comes early enough. WebAssembly's has no such part;
 * that for Windows hands events to the system's own tracing, and only while something there records them.
 */
export const noTelemetry = { ORT_DISABLE_TELEMETRY: '1' } as const;
