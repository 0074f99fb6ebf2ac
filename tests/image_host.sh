#!/bin/sh
# A host of OpenVZ whose guest is in a disk image, for the scripts that source
# this.

# image_host DIR IMAGE: the host at DIR has a copy of it as the disk of its
# guest 101
image_host()
{
	rm -rf "$1" &&
	mkdir -p "$1/vz/private/101/root.hdd" "$1/etc/vz/conf" &&
	echo ovz >"$1/etc/hostname" &&
	cp --sparse=always "$2" "$1/vz/private/101/root.hdd/root.hds" &&
	image_descriptor "$2" >"$1/vz/private/101/root.hdd/DiskDescriptor.xml" &&
	cat >"$1/etc/vz/conf/101.conf" <<-'END'
	VE_LAYOUT="ploop"
	VE_ROOT="/vz/root/$VEID"
	VE_PRIVATE="/vz/private/$VEID"
	HOSTNAME="web.example.org"
	END
}

# image_descriptor IMAGE: of a disk that is these bytes
image_descriptor()
{
	image_sectors=$(($(stat -c %s "$1") / 512)) || return
	cat <<-END
	<?xml version="1.0"?>
	<Parallels_disk_image Version="1.0">
	  <Disk_Parameters><Disk_size>$image_sectors</Disk_size></Disk_Parameters>
	  <StorageData><Storage>
	    <Start>0</Start><End>$image_sectors</End><Blocksize>2048</Blocksize>
	    <Image>
	      <GUID>{5fbaabe3-6958-40ff-92a7-860e329aab41}</GUID>
	      <Type>Plain</Type><File>root.hds</File>
	    </Image>
	  </Storage></StorageData>
	</Parallels_disk_image>
	END
}

# image_bytes N: the four bytes of a number, little-endian
image_bytes()
{
	printf '%b' "$(printf '\\0%03o\\0%03o\\0%03o\\0%03o' $(($1 & 255)) \
		$(($1 >> 8 & 255)) $(($1 >> 16 & 255)) $(($1 >> 24 & 255)))"
}

# image_table DISK: makes it have a table of partitions (MBR)
image_table()
{
	printf '\125\252' | dd of="$1" bs=1 seek=510 conv=notrunc 2>/dev/null
}

# image_entry DISK N TYPE START SECTORS: partition N of the table
image_entry()
{
	{
		image_bytes "$3" && image_bytes "$4" && image_bytes "$5"
	} | dd of="$1" bs=1 seek=$((446 + $2 * 16 - 12)) conv=notrunc 2>/dev/null
}
