/* Trees that lie in disk images: src/image reads them. */
#include "tree/tree_image.h"

#include <sys/stat.h>

#include "image/image.h"
#include "tree/tree_archive.h"

int tree_open_image(struct tree *t, const char *path,
		    const struct tree_image_options *o, struct tree **ret,
		    struct err *e)
{
	return image_open(t, path, o, ret, e);
}

int tree_open_root(struct tree *t, const char *path,
		   const struct tree_image_options *o, struct tree **ret,
		   struct err *e)
{
	struct tree_stat st;

	if (tree_stat(t, path, &st, e))
		return -1;
	if (!S_ISREG(st.mode))
		return tree_sub(t, path, ret, e);
	if (tree_is_archive(t, path))
		return tree_open_archive(t, path, NULL, o ? o->mem : NULL,
					 o ? o->notes : NULL, ret, e);
	return tree_open_image(t, path, o, ret, e);
}
