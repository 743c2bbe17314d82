export {
  type ContractRunner,
  type ContractStore,
  type StoreContractOptions,
  storeContract,
} from './store-contract.js'
