/*
 * imports.h - the files that `import "path"` names.
 */
#ifndef SCRY_CLI_IMPORTS_H
#define SCRY_CLI_IMPORTS_H

#include "script/compile.h"

/*
 * compile_options.import: arg is the arena.  A relative path is looked up beside the file that
 * imports, then in the working directory.  A directory gives its files that can be imported, in
 * the order of their names; one that everybody may write to is refused.
 */
const struct import_file *imports_read(void *arg, const char *from, const char *path,
				       struct err *e);

#endif
