import { viewStoreContract } from './contract.ts';
import { memoryViews } from './memory.ts';

viewStoreContract('memory', { open: memoryViews });
