// A bundle of its own, which is read when someone first goes to the hub: what is used of the package, and no more.
export { downloadFile, listFiles, listModels, modelInfo } from '@huggingface/hub';
