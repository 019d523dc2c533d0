import { createContext } from 'preact';
import { useContext } from 'preact/hooks';
import type { Desk } from '../state/desk';
import type { Home } from '../state/home';

export const DeskContext = createContext<Desk | undefined>(undefined);
export const HomeContext = createContext<Home | undefined>(undefined);

export const useDesk = (): Desk => useContext(DeskContext)!;
export const useHome = (): Home => useContext(HomeContext)!;
