import type { Section } from './contents.mjs'

export function anchorOf(title: string): string
export function titleOf(text: string): string
export function summaryOf(text: string): string
export function sitePage(path: string, text: string, pages: ReadonlyMap<string, string>): string
export function llmsText(sections: readonly Section[], pages: ReadonlyMap<string, string>): string
