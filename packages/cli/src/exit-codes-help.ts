/** The end of every help text. */
export const exitCodesHelp: string = `
Exit codes:
  0    done; record: stopped, and finished
  1    failed: media, codec or store; inspect: rules of a container are broken; recover: not everything is finished
  2    usage: an option or argument is missing, unknown or out of range
  3    the take, playlist or file is not there, not readable, or none
  130  interrupted (Ctrl-C), 143 terminated; record: by the second one. Nothing half-written is left.`
