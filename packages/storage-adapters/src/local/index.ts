export { createLocalStore, type LocalStore, type LocalStoreOptions } from './local-store.js'
